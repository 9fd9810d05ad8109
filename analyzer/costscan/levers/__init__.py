"""The levers: each turns a plan into a cheaper one, and knows nothing of prices."""
