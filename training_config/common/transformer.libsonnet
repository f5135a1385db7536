// A pretrained transformer right under the scorers, from raw words alone. SPIGOT_TRANSFORMER is its name on the hub, or its folder. If
// SPIGOT_TRANSFORMER_LAYERS says how many layers it has, the learning rate falls from layer to layer, from the last one down.
local name = std.extVar('SPIGOT_TRANSFORMER');
local layers = std.extVar('SPIGOT_TRANSFORMER_LAYERS');

assert name != '' :
  'Set SPIGOT_TRANSFORMER to the name of a pretrained transformer on the hub, or to its folder (docs/transformers.md).';

{
  local transformer = { type: 'pretrained_transformer_mismatched', model_name: name, max_length: 512 },
  layer_decay:: 0.9,

  indexers: { transformer: transformer },
  encoder: {
    text_field_embedder: { token_embedders: { transformer: transformer {
      sub_token_mode: 'avg',  // of the pieces of a word, or 'first'
      last_layer_only: true,  // or false: a learned mixture of all layers
    } } },
    dropout: 0.33,
  },

  // At the beginning an arc is about as rare as in a treebank: 1 pair of words in 35 has one, of some 40 labels, and
  // -log(35) - log(40) is -7. From zero, an epoch of a large model would teach little else.
  rare_arcs: { regexes: [['_arc_scorer\\.(.*\\.)?_from_dependent\\.bias', { type: 'constant', val: -7.0 }]] },

  // Parameter groups for a part of a model, by the beginning of their names: the transformer in it, and the rest, called `group`.
  groups(group, part, lr, transformer_lr)::
    local begin = '^(module\\.)?' + part;
    local inside = begin + '.*\\.transformer_model\\.';
    local numbers = std.range(0, std.parseInt(layers) - 1);
    (
      if layers == '' then [[[inside], { name: group + '_transformer', lr: transformer_lr }]]
      else [
        // The first number in a name is that of the layer.
        [[inside + '[^0-9]*%d\\.' % number], {
          name: '%s_transformer_%d' % [group, number],
          lr: transformer_lr * std.pow($.layer_decay, std.length(numbers) - 1 - number),
        }]
        for number in numbers
      ] + [[[inside + '(?![^0-9]*(%s)\\.)' % std.join('|', std.map(std.toString, numbers))], {
        name: group + '_transformer_embeddings',
        lr: transformer_lr * std.pow($.layer_decay, std.length(numbers)),
      }]]
    ) + [[[begin + '(?!.*\\.transformer_model\\.)'], { name: group, lr: lr }]],

  trainer(groups):: {
    num_epochs: 10,
    patience: null,  // the schedule is made for all epochs
    optimizer+: { lr: 0.001, betas: [0.9, 0.999], parameter_groups: groups },
    learning_rate_scheduler: { type: 'slanted_triangular', cut_frac: 0.1 },  // up in a tenth of all steps, and down
  },
}
