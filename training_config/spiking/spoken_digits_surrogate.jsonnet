// The baseline on spoken digits: a surrogate gradient, through time.
(import '../common/spiking_speech.libsonnet') + {
  model+: { network+: { gradient: { type: 'surrogate', slope: 3.0 } } },
  trainer+: { optimizer+: { lr: 0.002 } },  // with a slope of 0.5, at 0.001 and 0.004, it hardly learns
}
