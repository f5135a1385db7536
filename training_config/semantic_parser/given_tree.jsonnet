// A semantic parser that is given the gold tree (to vary, `tree`): what a tree could help at best. The file of graphs and that of
// trees have the same sentences; the trees of other files are looked for beside them.
local data = import '../common/data.libsonnet';
(import '../common/semantic_parser.libsonnet') + {
  dataset_reader+: {
    multiple_roots: true,
    companion: { [data.sdp_train]: data.conll_train, [data.sdp_dev]: data.conll_dev, '*': '.conll' },
  },
  model+: { arc_encoder: {}, tree: { type: 'gold' } },
}
