// The browser's own dialog: Escape closes it, the keyboard stays inside it, and focus goes back to the product.
watch('value', () => {
  const dialog = element.querySelector('dialog');
  if (dialog && !dialog.open) dialog.showModal();
});
element.addEventListener('click', (event) => {
  const outside = event.target.tagName === 'DIALOG';
  if (outside || event.target.closest('[data-close]')) event.target.closest('dialog').close();
});
// So that the same product opens it again.
element.addEventListener('close', () => { props.value = ''; }, true);
