"""`python -m alertd.admin docs` writes the documents of the HTTP side into this folder: openapi.json and api.md."""

import sys
from pathlib import Path

from alertd.admin.openapi import document, rendered
from alertd.admin.reference import page
from alertd.admin.routes import TABLE

folder, content = Path(sys.argv[1]), document(TABLE)
(folder / "openapi.json").write_text(rendered(content), encoding="utf-8")
(folder / "api.md").write_text(page(content), encoding="utf-8")
