// On a phone an error is said below the form: scroll to it.
watch('value', () => {
  const isError = element.querySelector('[role=alert]');
  if (isError && window.innerWidth <= 640) element.scrollIntoView({ block: 'center' });
});
