"""From a catalogue of photos to a filled gallery."""
