// For `allennlp ablate --variants`: every estimator on latent clusters, and what they lie between. Where Mihaylova et al. (2020)
// have the estimator, `picked` holds the learning rate and the step size that they picked; their step sizes multiply the gradient
// of the mean over 5000 points, ours that of each. Where they have not, the estimator has its default settings.
local by_mean(step_size) = { step_size: step_size / 5000 };

function(picked) {
  local others = 2e-3,
  local variant(estimator, lr) = {
    'model.argmax.estimator': estimator,
    'trainer.optimizer.lr': lr,
  },
  linear: variant({ type: 'pipeline' }, picked.linear) + { 'model.num_categories': 1 },
  gold: variant({ type: 'pipeline' }, picked.gold) + { 'model.gold': true },
  pipeline: variant({ type: 'pipeline' }, others),
  straight_through: variant({ type: 'straight_through' }, picked.straight_through),
  straight_through_marginals: variant({ type: 'straight_through_marginals' }, picked.straight_through_marginals),
  'spigot, their step': variant({ type: 'spigot' } + by_mean(picked.spigot.step_size), picked.spigot.lr),
  spigot: variant({ type: 'spigot' }, others),
  'spigot_ce, their step': variant({ type: 'spigot_ce' } + by_mean(picked.spigot_ce.step_size), picked.spigot_ce.lr),
  spigot_ce: variant({ type: 'spigot_ce' }, others),
  'spigot_eg, their step': variant({ type: 'spigot_eg' } + by_mean(picked.spigot_eg.step_size), picked.spigot_eg.lr),
  spigot_eg: variant({ type: 'spigot_eg' }, others),
  structured_attention: variant({ type: 'structured_attention' }, picked.structured_attention),
  sparsemap: variant({ type: 'sparsemap' }, picked.sparsemap),
  stochastic_softmax: variant({ type: 'stochastic_softmax' }, picked.stochastic_softmax),
  perturb_and_map: variant({ type: 'perturb_and_map' }, picked.perturb_and_map),
  perturbed: variant({ type: 'perturbed' }, others),
  implicit_mle: variant({ type: 'implicit_mle' }, others),
  'implicit_mle, adaptive': variant({ type: 'implicit_mle', adaptive: {}, symmetric: true }, others),
  blackbox: variant({ type: 'blackbox' }, others),
  identity_with_projection: variant({ type: 'identity_with_projection' }, others),
  reinforce: variant({ type: 'reinforce' }, picked.reinforce),
  'reinforce, leave one out': variant({ type: 'reinforce', num_samples: 4 }, picked.reinforce),
}
