"""Push a saved model to the Hub.

    hf-fashion push runs/quickstart/e2/best shop/dresses --private

All of it is one commit: weights, configuration, code, processor, card. A push that failed is made again by the same
command. The token is the one of `hf auth login`, or HF_TOKEN.
"""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command.

    Args:
        parser (`argparse.ArgumentParser`): gets the options.
    """
    parser.add_argument("folder", metavar="FOLDER", help="of a saved model, such as the folder best of a training")
    parser.add_argument("repo_id", metavar="REPO_ID", help="id of a model on the Hub; created where it is missing")
    parser.add_argument("--private", action="store_true", help="create a private repository")
    parser.add_argument("--revision", help="a branch; created where it is missing (default: main)")
    parser.add_argument("--commit_message", default="Upload model", help="first line of the commit")


def run(arguments: argparse.Namespace) -> None:
    """Push the folder, and print where it is.

    Args:
        arguments (`argparse.Namespace`): the parsed options.
    """
    from ..hub.push import push_to_hub

    commit = push_to_hub(
        arguments.folder,
        arguments.repo_id,
        private=arguments.private or None,
        commit_message=arguments.commit_message,
        revision=arguments.revision,
    )
    print(f"pushed {arguments.folder} to {commit.repo_url} (commit {commit.oid[:7]})")
