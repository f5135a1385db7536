// The settings that Mihaylova et al. (2020) picked for three clusters.
{
  linear: 1e-3,
  gold: 1e-3,
  straight_through: 1e-3,
  straight_through_marginals: 2e-3,
  spigot: { step_size: 1.0, lr: 1e-3 },
  spigot_ce: { step_size: 2.0, lr: 2e-3 },
  spigot_eg: { step_size: 0.1, lr: 2e-3 },
  structured_attention: 2e-3,
  sparsemap: 1e-3,
  stochastic_softmax: 2e-3,
  perturb_and_map: 2e-3,
  reinforce: 2e-3,
}
