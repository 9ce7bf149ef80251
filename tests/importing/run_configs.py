"""The run and build configs of Llama Stack and OGX as YAML, made from the table in wirings.txt.

The table has the ids, types, resources and storage; the values of configs are made here, with the keys, variables and
defaults that each version has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

Data = dict[str, object]

VERSIONS = ("V1", "V2", "V3", "V4", "V5")
TABLE = Path(__file__).with_name("wirings.txt")
POSTGRES = {
    "host": "${env.POSTGRES_HOST:=localhost}",
    "port": "${env.POSTGRES_PORT:=5432}",
    "db": "${env.POSTGRES_DB:=llamastack}",
    "user": "${env.POSTGRES_USER:=llamastack}",
    "password": "${env.POSTGRES_PASSWORD:=llamastack}",
}
LATER: Data = {
    "default_reranker_model": {"provider_id": "transformers", "model_id": "Qwen/Qwen3-Reranker-0.6B"},
    "rewrite_query_params": None,
    "file_search_params": {"header_template": "found {num_chunks} chunks:\n", "footer_template": "END\n"},
    "context_prompt_params": {
        "chunk_annotation_template": "Result {index}\nContent: {chunk.content}\nMetadata: {metadata}\n",
        "context_template": 'For "{query}". {annotation_instruction}\n',
    },
    "annotation_prompt_params": {"enable_annotations": True, "annotation_instruction_template": "Cite.\n"},
    "file_ingestion_params": {"default_chunk_size_tokens": 512, "default_chunk_overlap_tokens": 128},
    "chunk_retrieval_params": {
        "chunk_multiplier": 5,
        "max_tokens_in_context": 4000,
        "default_reranker_strategy": "rrf",
        "rrf_impact_factor": 60.0,
        "weighted_search_alpha": 0.5,
        "default_search_mode": "vector",
    },
    "file_batch_params": {
        "max_concurrent_files_per_batch": 3,
        "file_batch_chunk_size": 10,
        "cleanup_interval_seconds": 86400,
    },
    "contextual_retrieval_params": {"model": None, "default_timeout_seconds": 120},
}
"""What `vector_stores` of later versions says beside."""

DIMENSIONS = {"all-MiniLM-L6-v2": 384, "nomic-embed-text-v1.5": 768}


@dataclass(frozen=True, slots=True)
class Wiring:
    """One file. providers, resources: texts of the table by API and by kind."""

    distribution: str
    version: str
    file: str
    words: tuple[str, ...]
    providers: Mapping[str, tuple[str, ...]]
    resources: Mapping[str, tuple[str, ...]]

    @property
    def title(self) -> str:
        return f"{self.distribution}-{self.version}-{self.file.removesuffix('.yaml')}"

    @property
    def is_old(self) -> bool:
        """Of the versions whose URLs have no path of an API."""
        return self.version in ("V1", "V2")


def wirings() -> Iterator[Wiring]:
    """Every file of the table."""
    text = "".join(line for line in TABLE.read_text("utf-8").splitlines(keepends=True) if not line.startswith("#"))
    for block in text.strip().split("\n\n"):
        lines = block.splitlines()
        parts = dict(line.strip().split(": ", 1) for line in lines if line.startswith(" "))
        lists = {key: tuple(value.split(", ")) for key, value in parts.items()}
        providers = {key: value for key, value in lists.items() if not key.startswith("*")}
        resources = {key[1:]: value for key, value in lists.items() if key.startswith("*")}
        for line in lines:
            if not line.startswith(" "):
                names, words = line.split(": ")
                yield Wiring(*names.split(), tuple(words.split()), providers, resources)


def run_config(wiring: Wiring) -> str:
    """The file, as that version writes it."""
    name = "image_name" if wiring.version in ("V1", "V2") else "distro_name"
    data: Data = {"version": 2, name: wiring.distribution, "apis": sorted(wiring.providers)}
    data["providers"] = {
        api: [instance(wiring, api, each) for each in entries] for api, entries in wiring.providers.items()
    }
    resources = {kind: [resource(kind, each) for each in entries] for kind, entries in wiring.resources.items()}
    if wiring.version == "V1":
        postgres = "postgres" in wiring.words
        store = (
            {"type": "postgres", **POSTGRES} if postgres else {"type": "sqlite", "db_path": path(wiring, "registry.db")}
        )
        data |= {"metadata_store": store, "inference_store": dict(store)}
        kinds = ("models", "shields", "vector_dbs", "datasets", "scoring_fns", "benchmarks", "tool_groups")
        data |= {kind: resources.get(kind, []) for kind in kinds}
    else:
        data |= {"storage": storage(wiring), "registered_resources": {"vector_stores": [], **resources}}
    return yaml.safe_dump({**data, "server": server(wiring), **others(wiring)}, sort_keys=False, width=1000)


def build_config(wiring: Wiring) -> str:
    """The build config that goes with it."""
    types = {api: [{"provider_type": kind(each)} for each in entries] for api, entries in wiring.providers.items()}
    spec = {"description": f"The distribution {wiring.distribution}.", "providers": types}
    packages = ["aiosqlite", "sqlalchemy[asyncio]"]
    data = {"version": 2, "distribution_spec": spec, "image_type": "venv", "additional_pip_packages": packages}
    return yaml.safe_dump(data, sort_keys=False)


def kind(entry: str) -> str:
    return entry.rpartition("→")[2]


def gated(text: str) -> str:
    """`id?VARIABLE` as a config says it."""
    name, _, variable = text.partition("?")
    return f"${{env.{variable}:+{name}}}" if variable else name


def instance(wiring: Wiring, api: str, entry: str) -> Data:
    identity = gated(entry.rpartition("→")[0]) or kind(entry).rpartition("::")[2]
    return {"provider_id": identity, "provider_type": kind(entry), "config": config(wiring, api, kind(entry))}


def resource(kind: str, entry: str) -> Data:
    name, _, owner = entry.rpartition("@")
    key = {"models": "model_id", "shields": "shield_id", "tool_groups": "toolgroup_id", "datasets": "dataset_id"}
    made: Data = {key.get(kind, "benchmark_id"): name, "provider_id": gated(owner) or None}
    if name == "nomic-embed-text-v1.5":
        made["provider_model_id"] = f"nomic-ai/{name}"
    if name in DIMENSIONS:
        made |= {"model_type": "embedding", "metadata": {"embedding_dimension": DIMENSIONS[name]}}
    return made


def path(wiring: Wiring, file: str) -> str:
    home = "~/.llama" if wiring.version in ("V1", "V2", "V3") else "~/.ogx"
    return f"${{env.SQLITE_STORE_DIR:={home}/distributions/{wiring.distribution}}}/{file}"


def storage(wiring: Wiring) -> Data:
    kv: Data = {"type": "kv_sqlite", "db_path": path(wiring, "kvstore.db")}
    sql: Data = {"type": "sql_sqlite", "db_path": path(wiring, "sql_store.db")}
    if "postgres" in wiring.words:
        kv, sql = {"type": "kv_postgres", **POSTGRES}, {"type": "sql_postgres", **POSTGRES}
    stores = {
        "metadata": {"namespace": "registry", "backend": "kv_default"},
        "inference": {"table_name": "inference_store", "backend": "sql_default", "num_writers": 4},
        "conversations": {"table_name": "openai_conversations", "backend": "sql_default"},
    }
    return {"backends": {"kv_default": kv, "sql_default": sql}, "stores": stores}


def server(wiring: Wiring) -> Data:
    made: Data = {"port": 8321}
    if "auth" in wiring.words:
        made["auth"] = {"provider_config": {"type": "${env.AUTH_PROVIDER:+oauth2_token}", "audience": "llama-stack"}}
    return made


def others(wiring: Wiring) -> Data:
    model = {"provider_id": "sentence-transformers", "model_id": "nomic-ai/nomic-embed-text-v1.5"}
    stores: Data = {"default_provider_id": "faiss", "default_embedding_model": model}
    if wiring.version not in ("V1", "V2"):
        stores |= LATER
    every: Data = {
        "telemetry": {"enabled": True},
        "vector_stores": stores,
        "safety": {"default_shield_id": "llama-guard"},
    }
    return {key: value for key, value in every.items() if key in wiring.words}


def indexed(wiring: Wiring, kind: str) -> Data:
    """What an instance of vector_io has beside what it keeps."""
    match kind:
        case "inline::sqlite-vec":
            return {"db_path": path(wiring, "sqlite_vec.db")}
        case "inline::milvus":
            return {"db_path": path(wiring, "milvus.db").replace("SQLITE_STORE_DIR", "MILVUS_DB_PATH")}
        case "remote::qdrant":
            return {"api_key": "${env.QDRANT_API_KEY:=}"}
        case "remote::weaviate":
            url = "${env.WEAVIATE_CLUSTER_URL:=localhost:8080}"
            return {"weaviate_api_key": None, "weaviate_cluster_url": url}
    return {}


def config(wiring: Wiring, api: str, kind: str) -> Data:
    """The config of an instance, with the keys that its version has."""
    name = kind.rpartition("::")[2]
    own = {"type": "sqlite", "db_path": path(wiring, f"{name}.db")}
    if kind == "inline::localfs" and api == "files":
        rows = own if wiring.version == "V1" else {"table_name": "files_metadata", "backend": "sql_default"}
        folder = path(wiring, "files").replace("SQLITE_STORE_DIR", "FILES_STORAGE_DIR")
        return {"storage_dir": folder, "metadata_store": rows}
    if api == "batches":
        return {"kvstore": own if wiring.version == "V1" else {"namespace": "batches", "backend": "kv_default"}}
    if api == "tool_runtime" and name.endswith("-search") and kind.startswith("remote::"):
        return {"api_key": f"${{env.{name.replace('-', '_').upper()}_API_KEY:=}}", "max_results": 3}
    if kind == "remote::pgvector":
        keys = {"host": "localhost", "port": "5432", "db": "", "user": "", "password": ""}
        index = {"type": "HNSW", "m": 16, "ef_construction": 64, "ef_search": 40}
        newer = {} if wiring.is_old else {"distance_metric": "COSINE", "vector_index": index}
        return {key: f"${{env.PGVECTOR_{key.upper()}:={value}}}" for key, value in keys.items()} | newer
    if kind == "remote::chromadb":
        return {"url": "${env.CHROMADB_URL:=}"}
    if kind == "remote::elasticsearch":
        key = {"elasticsearch_api_key": "${env.ELASTICSEARCH_API_KEY:=}"}
        return {"elasticsearch_url": "${env.ELASTICSEARCH_URL:=localhost:9200}", **key}
    if kind == "inline::sqlite-vec":
        return {"db_path": path(wiring, "sqlite_vec.db")}
    if api != "inference":
        store = {"kvstore": {"type": "sqlite", "db_path": path(wiring, f"{name}.db")}}
        later = {"persistence": {"namespace": f"{api}::{name}", "backend": "kv_default"}}
        kept = (store if wiring.version == "V1" else later) if api in ("vector_io", "agents", "eval") else {}
        return kept | (indexed(wiring, kind) if api == "vector_io" else {})
    url = "url" if wiring.is_old else "base_url"
    tail = "" if wiring.is_old else "/v1"
    key = {"api_key": f"${{env.{re.sub('-', '_', name).upper()}_API_KEY:=}}"}
    match name:
        case "ollama":
            return {url: f"${{env.OLLAMA_URL:=http://localhost:11434{tail}}}"}
        case "vllm":
            verify = {"tls_verify": "${env.VLLM_TLS_VERIFY:=true}"}
            token = {"api_token": "${env.VLLM_API_TOKEN:=fake}"}
            return {url: "${env.VLLM_URL:=}", "max_tokens": "${env.VLLM_MAX_TOKENS:=4096}", **token, **verify}
        case "tgi":
            return {url: "${env.TGI_URL:=}"}
        case "cerebras":
            return {"base_url": f"https://api.cerebras.ai{tail}", **key}
        case "nvidia":
            version = {"append_api_version": "${env.NVIDIA_APPEND_API_VERSION:=True}"} if wiring.is_old else {}
            return {url: f"${{env.NVIDIA_BASE_URL:=https://integrate.api.nvidia.com{tail}}}", **key, **version}
        case "fireworks":
            return {url: "https://api.fireworks.ai/inference/v1", **key}
        case "together" | "sambanova":
            host = {"together": "api.together.xyz", "sambanova": "api.sambanova.ai"}[name]
            return {url: f"https://{host}/v1", **key}
        case "groq":
            return {url: "https://api.groq.com" if wiring.is_old else "https://api.groq.com/openai/v1", **key}
        case "openai":
            return {**key, "base_url": "${env.OPENAI_BASE_URL:=https://api.openai.com/v1}"}
        case "anthropic" | "gemini":
            return dict(key)
        case "azure":
            base = "api_base" if wiring.is_old else "base_url"
            kind_of_key = {"api_version": "${env.AZURE_API_VERSION:=}", "api_type": "${env.AZURE_API_TYPE:=}"}
            return {**key, base: "${env.AZURE_API_BASE:=}", **kind_of_key}
        case "bedrock":
            return {} if wiring.is_old else {"api_key": "${env.AWS_BEARER_TOKEN_BEDROCK:=}", "region_name": "us-east-2"}
        case "vertexai":
            return {"project": "${env.VERTEX_AI_PROJECT:=}", "location": "${env.VERTEX_AI_LOCATION:=us-central1}"}
        case "watsonx":
            return {url: "${env.WATSONX_BASE_URL:=https://us-south.ml.cloud.ibm.com}", **key, "timeout": 60}
        case "oci":
            return {
                "oci_compartment_id": "${env.OCI_COMPARTMENT_OCID:=}",
                "oci_region": "${env.OCI_REGION:=us-ashburn-1}",
            }
        case "meta-reference":
            return {"model": "${env.INFERENCE_MODEL}", "max_seq_len": "${env.MAX_SEQ_LEN:=4096}"}
    return {}
