"""The pages of the centre: Jinja2 templates, htmx and native ES modules; no build step."""
