"""The Hub on loopback answers huggingface_hub as the real one does, where the other tests need it."""

import json
import os
import subprocess
import sys

from tests.hub_server import HubServer


SCRIPT = """
import json
from huggingface_hub import HfApi, hf_hub_download
from huggingface_hub.errors import EntryNotFoundError, RepositoryNotFoundError

api = HfApi()
api.create_repo("tester/a", repo_type="dataset")
api.create_repo("tester/a", repo_type="dataset", exist_ok=True)
for name in ("deep/down/note.txt", "table.parquet"):
    api.upload_file(path_or_fileobj=name.encode(), path_in_repo=name, repo_id="tester/a", repo_type="dataset")
api.create_tag("tester/a", tag="v1", repo_type="dataset")
api.delete_file("table.parquet", "tester/a", repo_type="dataset")
for _ in range(2):
    api.create_branch("tester/a", branch="draft", repo_type="dataset", exist_ok=True)
api.upload_file(
    path_or_fileobj=b"{}", path_in_repo="draft.json", repo_id="tester/a", repo_type="dataset", revision="draft"
)

def refused(function, error):
    try:
        function()
    except error:
        return True
    return False

paths = api.list_repo_tree("tester/a", recursive=True, repo_type="dataset")
infos = api.get_paths_info("tester/a", ["table.parquet"], revision="v1", repo_type="dataset")
found = {
    "name": api.whoami()["name"],
    "now": sorted(entry.path for entry in paths),
    "tagged": sorted(api.list_repo_files("tester/a", revision="v1", repo_type="dataset")),
    "branch": sorted(api.list_repo_files("tester/a", revision="draft", repo_type="dataset")),
    "lfs": [info.lfs.size for info in infos],
    "content": open(hf_hub_download("tester/a", "table.parquet", revision="v1", repo_type="dataset")).read(),
    "no_file": refused(lambda: hf_hub_download("tester/a", "no.txt", repo_type="dataset"), EntryNotFoundError),
    "no_repository": refused(lambda: api.model_info("tester/a"), RepositoryNotFoundError),
}
api.delete_repo("tester/a", repo_type="dataset")
found["deleted"] = not api.repo_exists("tester/a", repo_type="dataset")
print(json.dumps(found))
"""


def test_repository_lives_from_creation_to_deletion(tmp_path):
    with HubServer() as hub:
        environment = {**os.environ, **hub.environment(), "HF_HOME": str(tmp_path)}
        result = subprocess.run([sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == {
        "name": "tester",
        "now": ["deep", "deep/down", "deep/down/note.txt"],
        "tagged": ["deep/down/note.txt", "table.parquet"],
        "branch": ["deep/down/note.txt", "draft.json"],
        "lfs": [len("table.parquet")],
        "content": "table.parquet",
        "no_file": True,
        "no_repository": True,
        "deleted": True,
    }
