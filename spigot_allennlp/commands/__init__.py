"""
Subcommands of `allennlp`, each in a file of the same name: `ablate`, `parse`, `score` and others.
"""

from spigot_allennlp.commands.ablate import Ablate
from spigot_allennlp.commands.compare_trees import CompareTrees
from spigot_allennlp.commands.configs import Configs
from spigot_allennlp.commands.demo import DemoCommand
from spigot_allennlp.commands.generate_treebank import GenerateTreebank
from spigot_allennlp.commands.pack import PackCommand
from spigot_allennlp.commands.parse import ParseCommand
from spigot_allennlp.commands.plot_metrics import PlotMetrics
from spigot_allennlp.commands.score import Score
