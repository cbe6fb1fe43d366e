"""Write the cards of models: facts of a run and evaluations -> metadata, text, pictures. Import the submodule."""
