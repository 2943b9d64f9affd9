"""An evaluation told: tables, Markdown, JSON, CSV and one page."""
