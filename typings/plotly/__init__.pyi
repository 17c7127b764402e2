# Types of the parts of plotly that mbc uses; plotly itself has none. Read by pyright alone.
