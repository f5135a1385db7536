// A parser of enhanced Universal Dependencies (CoNLL-U), from words and characters alone. A label seen fewer than five times, often for
// its lemma (`nmod:atop`), is learned as the same without it (`nmod`); in the scores it remains what it is.
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
}
