"""Write the cards of repositories, and renew them without losing what people wrote. Import the submodule you need."""
