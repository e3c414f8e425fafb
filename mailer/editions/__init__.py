"""What it looks like: the front door compiles an Issue and the templates into Editions; `check` judges them."""
