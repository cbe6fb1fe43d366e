"""What happens between embeddings and a result list: re-rankers as pure tensor functions. Import the submodule."""
