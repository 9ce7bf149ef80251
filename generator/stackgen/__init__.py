"""stackgen: a compiler for AI API servers.

The passes, in order:

    workspace, load, validate   YAML with places, found by name; its form
    resolve/                    specs → Plan (plan.py), or everything that is wrong (problems/)
    trim, laws                  Plan → the parts it reaches (parts.py reads them), and whether they may be vendored
    render/                     Plan and parts → {path: bytes}
    write                       → disk

`build` joins them. Beside them: `openapi/` reads and compiles API documents, `contracts/` makes models of them,
`requirements` and `lockfile` know packages; `cli` and `commands/` are the command line, whose longer commands are
`lock`, `why`, `run` and `printing`.
"""

__version__ = "0.1.0"
