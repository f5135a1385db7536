// The baseline on spoken digits: a surrogate gradient, through time.
(import '../common/spiking_speech.libsonnet') + {
  model+: { network+: { gradient: { type: 'surrogate', slope: 0.5 } } },
}
