"""
Mirrors `spigot_allennlp` file for file. What several tests share is imported as
`tests.<package>.<file>`.
"""
