// The pruner of the syntactic parser of Peng et al. (2018), trained for one epoch: SPIGOT_TREE_PRUNER is its archive.
(import '../common/syntactic_parser.libsonnet') + (import '../common/pruner.libsonnet')(num_epochs=1)
