"""The report's figures: one file a kind, each from a view to a bokeh plot."""
