"""What is listed on the screen: a run, prices, rules, the schema."""
