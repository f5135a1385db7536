// For `allennlp ablate --variants`, with `semantic_parser/given_tree.jsonnet`: which trees help, and how much.
{
  'no tree': { 'model.arc_encoder': null, 'model.tree': null },
  'left neighbour': { 'model.tree': { type: 'neighbour', side: 'left' } },
  'right neighbour': { 'model.tree': { type: 'neighbour', side: 'right' } },
  gold: { 'model.tree': { type: 'gold' } },
} + {
  ['gold, %d %% errors' % percent]: { 'model.tree': { type: 'gold', error_rate: percent / 100 } }
  for percent in [10, 20, 40]
}
