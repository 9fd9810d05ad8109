"""The levers: each turns a plan into another one; where that pays is for the scenarios to say."""
