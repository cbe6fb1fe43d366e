"""Commands that make a model ready for the Hub, a file each."""
