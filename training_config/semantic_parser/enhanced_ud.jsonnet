// A parser of enhanced Universal Dependencies (CoNLL-U), from words and characters alone. A label seen fewer than five times, often for
// its lemma (`nmod:atop`), is learned as the same without it (`nmod`); in the scores it remains what it is. With labels given arcs,
// several hundred take no more time than a few dozen without. At the beginning an arc is about as rare as in a treebank, 1 in 35,
// which also keeps those few whose labels are scored.
local data = import '../common/data.libsonnet';
local families = import '../common/families.libsonnet';
local raw_text = import '../common/raw_text.libsonnet';

(import 'raw_text.jsonnet') + {
  dataset_reader: data.conll + families.graphs($.model) + { token_indexers: raw_text.indexers } +
                  { trees: false, enhanced_graph: true, back_off_labels: true },
  validation_dataset_reader+: { back_off_labels: false },
  train_data_path: data.conll_train,
  validation_data_path: data.conll_dev,
  vocabulary: { min_count: { semantic_roles: 5 } },
  model+: {
    label_scorer+: { type: 'diagonal_biaffine' }, labels_given_arcs: true,
    initializer+: { regexes+: [['_arc_scorer\\..*_from_dependent\\.bias', { type: 'constant', val: -3.5 }]] },
  },
}
