// A click or Enter on an example: the server fills the form, then searches.
element.addEventListener('click', (event) => {
  const button = event.target.closest('button[data-example]');
  if (button) trigger('click', { example: Number(button.dataset.example) });
});
