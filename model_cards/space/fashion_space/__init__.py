"""The demo's parts: what is searched (`shop.py`) and the page (`page.py`)."""
