// For `allennlp ablate --variants`, with any config whose model has an `argmax`: every estimator with its default settings, and
// SPIGOT projected onto the exact hull. The surrogate gradients have a norm cap: without one the scores of a parser run away. Those
// that do not suit the structure are reported as refused.
local exact = ['pipeline', 'structured_attention', 'stochastic_softmax', 'reinforce'];
local surrogate = [
  'straight_through', 'straight_through_marginals', 'spigot', 'spigot_ce', 'spigot_eg', 'sparsemap', 'perturb_and_map', 'perturbed',
  'implicit_mle', 'blackbox', 'identity_with_projection',
];
local cap = { max_step_norm: 0.01 };
{ [name]: { 'model.argmax.estimator': { type: name } } for name in exact } +
{ [name]: { 'model.argmax.estimator': { type: name } + cap } for name in surrogate } + {
  'spigot, sparsemap': { 'model.argmax.estimator': { type: 'spigot', projection: 'sparsemap' } + cap },
}
