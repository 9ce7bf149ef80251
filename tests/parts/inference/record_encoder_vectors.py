"""Writes encoder_vectors.json: the vectors that transformers and sentence-transformers themselves make, with torch.

PYTHONPATH=templates:tests/parts/inference python tests/parts/inference/record_encoder_vectors.py

recorded with sentence-transformers 6.2.0, transformers 5.23.0 and torch 2.13.0 on a CPU.
"""

from __future__ import annotations

import base64
import json
import tempfile
from pathlib import Path

from encoder_folders import POOLINGS, SENTENCES, TEXTS, VECTORS, minilm, write_json, write_model
from sentence_transformers import SentenceTransformer


def main() -> None:
    found: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("bert", "roberta", "xlm-roberta", "mpnet", "distilbert"):
            found[kind] = vectors(write_model(Path(folder) / kind, kind), TEXTS)
        for name, pooling in POOLINGS.items():
            found[name] = vectors(write_model(Path(folder) / name, pooling=pooling, modules=()), TEXTS)
        found["dense"] = vectors(write_model(Path(folder) / "dense", modules=("Dense", "Normalize")), TEXTS)
        prompted = write_model(Path(folder) / "prompt")
        write_json(
            prompted / "config_sentence_transformers.json",
            {"prompts": {"passage": "the dog runs . "}, "default_prompt_name": "passage"},
        )
        found["prompt"] = vectors(prompted, TEXTS)
    found["minilm"] = vectors(minilm(), SENTENCES)
    VECTORS.write_text(json.dumps(found, indent=0) + "\n")


def vectors(folder: Path, texts: list[str]) -> list[str]:
    if not (folder / "tokenizer_config.json").exists():
        special = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep")}
        write_json(folder / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast", **special})
    made = SentenceTransformer(str(folder), device="cpu").encode(texts)
    return [base64.b64encode(vector.astype("<f4").tobytes()).decode() for vector in made]


if __name__ == "__main__":
    main()
