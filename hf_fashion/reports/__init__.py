"""Tables, plots and pages made of metrics. Import the submodule you need."""
