"""Read the product files of shop systems."""
