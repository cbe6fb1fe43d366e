"""transformers' Auto classes know our models, whatever was imported first."""

import subprocess
import sys

import pytest


ORDERS = [
    "import hf_fashion; from transformers import AutoConfig",
    "import transformers.models.auto.modeling_auto; import hf_fashion",
    # Here the Auto classes are imported while a module that our models need is half imported.
    "import hf_fashion; import transformers.modeling_utils",
    "from hf_fashion.models.attribute.modeling_ipad import IpadModel",
    # An import that fails takes nothing with it.
    "import hf_fashion\ntry: from transformers.models.auto import no_such_name\nexcept ImportError: pass",
]
CHECK = """
from transformers import AutoConfig, MODEL_MAPPING, PROCESSOR_MAPPING, IMAGE_PROCESSOR_MAPPING
from transformers import MODEL_FOR_ZERO_SHOT_IMAGE_CLASSIFICATION_MAPPING as ZERO_SHOT
for name in ("asen", "combiner", "e2", "e2_vision_model", "feature_reasoning", "ipad"):
    config = type(AutoConfig.for_model(name))
    assert config.__module__.startswith("hf_fashion.") and MODEL_MAPPING[config].config_class is config, name
    assert name in ("combiner", "feature_reasoning") or config in IMAGE_PROCESSOR_MAPPING, name
assert {hf_fashion.E2Config} <= set(ZERO_SHOT) and PROCESSOR_MAPPING[hf_fashion.E2Config] is hf_fashion.E2Processor
"""


@pytest.mark.parametrize("imports", ORDERS)
def test_the_order_of_imports_does_not_matter(imports):
    script = f"{imports}\nimport hf_fashion\n{CHECK}"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


# peft is imported by those who use it, before us or after.
@pytest.mark.parametrize("imports", ["import hf_fashion, peft", "import peft, hf_fashion"])
def test_peft_knows_what_to_adapt(imports):
    script = f"""
{imports}
from peft.utils.constants import TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING as TARGETS
assert TARGETS["bert"] == ["query", "value"] and TARGETS["clip"] == ["q_proj", "v_proj"]
assert all(layer in TARGETS["e2"] for layer in ["q_proj", "v_proj", "query", "value"])
assert "convolution" in TARGETS["asen"] and "convolution" in TARGETS["ipad"]
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def test_a_second_observer_is_not_installed():
    from hf_fashion._registration import register_when_imported

    before = list(sys.meta_path)
    register_when_imported()
    assert sys.meta_path == before


AGAIN = {
    "reload": "import importlib, hf_fashion._registration as r; importlib.reload(r); r.register_when_imported()",
    "import": "for name in [name for name in sys.modules if name.startswith('hf_fashion')]: del sys.modules[name]",
}


@pytest.mark.parametrize("again", AGAIN.values(), ids=AGAIN)
def test_a_second_import_registers_its_classes(again):
    first = "import sys, hf_fashion\nfrom transformers import AutoModel"
    script = f"{first}\n{again}\nimport hf_fashion, transformers.pipelines"
    counted = "assert sum('_ImportObserver' == type(finder).__name__ for finder in sys.meta_path) == 1"
    config = "assert type(AutoConfig.for_model('e2')) is hf_fashion.E2Config"
    command = [sys.executable, "-c", f"{script}\n{CHECK}{counted}\n{config}"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
