"""The built-in commands, one module each: `TEXT`, `arguments(parser)`, `run(options) -> exit code`.

`galvo.cli.BUILT_IN` names them. Errors are raised as GalvoError; `main` says them in one sentence.
"""
