// For `allennlp ablate --variants`: every estimator on latent clusters, and what they lie between. Where Mihaylova et al. (2020)
// have the estimator, `picked` holds the learning rate and the step size that they picked; their step sizes multiply the gradient
// of the mean over 5000 points, ours that of each. Where they have not, the estimator has its default settings. With `speedup` there
// are as many times fewer steps, of a learning rate as many times as large: Adam goes about as far.
local by_mean(step_size) = { step_size: step_size / 5000 };

function(picked, speedup=1) {
  local others = 2e-3,
  local variant(estimator, lr) = {
    'model.argmax.estimator': estimator,
    'trainer.optimizer.lr': lr * speedup,
    'trainer.num_epochs': 100 / speedup,
  },
  local published(type) = variant({ type: type } + by_mean(picked[type].step_size), picked[type].lr),
  pipeline: variant({ type: 'pipeline' }, others),
  linear: variant({ type: 'pipeline' }, picked.linear) + { 'model.num_categories': 1 },
  gold: variant({ type: 'pipeline' }, picked.gold) + { 'model.gold': true },
  straight_through: variant({ type: 'straight_through' }, picked.straight_through),
  straight_through_marginals: variant({ type: 'straight_through_marginals' }, picked.straight_through_marginals),
  'spigot, published step': published('spigot'),
  spigot: variant({ type: 'spigot' }, others),
  'spigot_ce, published step': published('spigot_ce'),
  'spigot_eg, published step': published('spigot_eg'),
  structured_attention: variant({ type: 'structured_attention' }, picked.structured_attention),
  sparsemap: variant({ type: 'sparsemap' }, picked.sparsemap),
  stochastic_softmax: variant({ type: 'stochastic_softmax' }, picked.stochastic_softmax),
  perturb_and_map: variant({ type: 'perturb_and_map' }, picked.perturb_and_map),
  perturbed: variant({ type: 'perturbed' }, others),
  // Of one part, sum-of-gamma noise is Gumbel noise, and slower.
  implicit_mle: variant({ type: 'implicit_mle', noise: 'gumbel' }, others),
  'implicit_mle, adaptive': variant({ type: 'implicit_mle', noise: 'gumbel', adaptive: {}, symmetric: true }, others),
  blackbox: variant({ type: 'blackbox' }, others),
  identity_with_projection: variant({ type: 'identity_with_projection' }, others),
  reinforce: variant({ type: 'reinforce' }, picked.reinforce),
  'reinforce, leave one out': variant({ type: 'reinforce', num_samples: 4 }, picked.reinforce),
}
