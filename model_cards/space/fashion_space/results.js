// A click or Enter on a product: the server draws its dialog.
element.addEventListener('click', (event) => {
  const card = event.target.closest('button[data-product]');
  if (card) trigger('click', { product: card.dataset.product, attribute: card.dataset.attribute });
});
// On a phone the results are below the form: scroll to what is said about them.
watch('value', () => {
  if (props.value && window.innerWidth <= 640) document.getElementById('told').scrollIntoView({ block: 'start' });
});
