// The straight-through estimator with the settings of Peng et al. (2018), whose code does not clip its gradient.
(import 'spigot_peng_2018.jsonnet') + {
  model+: { argmax+: { estimator: { type: 'straight_through' } } },
}
