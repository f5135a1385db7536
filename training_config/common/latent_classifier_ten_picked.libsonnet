// The settings that Mihaylova et al. (2020) picked for ten clusters.
{
  linear: 2e-3,
  gold: 1e-3,
  straight_through: 2e-3,
  straight_through_marginals: 1e-3,
  spigot: { step_size: 0.1, lr: 1e-4 },
  spigot_ce: { step_size: 1.0, lr: 2e-3 },
  spigot_eg: { step_size: 1.0, lr: 2e-3 },
  structured_attention: 1e-3,
  sparsemap: 2e-3,
  stochastic_softmax: 2e-3,
  perturb_and_map: 2e-3,
  reinforce: 2e-3,
}
