// For `allennlp ablate --variants`, with any config whose model has an `argmax`: every estimator with its default settings, and
// SPIGOT projected onto the exact hull. Those that do not suit the structure are reported as refused.
local names = [
  'pipeline', 'straight_through', 'straight_through_marginals', 'spigot', 'spigot_ce', 'spigot_eg', 'structured_attention',
  'sparsemap', 'stochastic_softmax', 'perturb_and_map', 'perturbed', 'implicit_mle', 'blackbox', 'identity_with_projection',
  'reinforce',
];
{ [name]: { 'model.argmax.estimator': { type: name } } for name in names } + {
  'spigot, sparsemap': { 'model.argmax.estimator': { type: 'spigot', projection: 'sparsemap' } },
}
