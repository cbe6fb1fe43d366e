"""`hf-fashion convert`: files that people have, as a corpus."""

from hf_fashion.cli.main import main
from tests.data.converted import save_photos


def test_a_format_is_converted_by_its_name(tmp_path, capsys):
    save_photos(tmp_path, "1.jpg")
    (tmp_path / "export.csv").write_text("Handle,Title,Image Src\nhat,Hat,1.jpg\n")
    command = ["convert", "shopify", str(tmp_path / "export.csv"), "--output", str(tmp_path / "out")]
    assert main(command) == 0
    assert capsys.readouterr().out == (
        f"train: 1 rows\na corpus in {tmp_path / 'out'}, to be read with --column_map shopify\n"
    )
    assert main(command) == 2 and "exists already" in capsys.readouterr().err


def test_a_mistyped_format_is_one_line(tmp_path, capsys):
    assert main(["convert", "shopfy", str(tmp_path), "--output", str(tmp_path / "out")]) == 2
    assert "no format 'shopfy' (did you mean 'shopify'?)" in capsys.readouterr().err
