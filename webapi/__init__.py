"""What an HTTP API is made of, whoever's it is: reading, describing, paging, logs. Imports nothing of the product."""
