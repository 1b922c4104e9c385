"""`python -m components.spec` writes stacks/stack.schema.json."""

from pathlib import Path

from components.spec.schema import schema_text

SCHEMA_FILE = Path(__file__).parents[2] / "stacks" / "stack.schema.json"

if __name__ == "__main__":
    SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")
