// The baseline on spoken digits: a surrogate gradient, through time.
(import '../common/spiking_speech.libsonnet') + {
  model+: { network+: { gradient: { type: 'surrogate', slope: 0.5 } } },
  trainer+: { optimizer+: { lr: 0.001 } },  // at 0.004 it does not learn
}
