"""The analyst: a recording becomes twelve waves, in this process and with nothing running.

    python examples/analyst.py
"""

import numpy as np

import dredge

signal = dredge.read(dredge.example("ecg"))
lift = dredge.lift(signal, waves=12)

print(f"{signal.samples.size} samples became {len(lift.field)} waves ({lift.field.numbers} numbers).")
print(f"They leave {10 ** (-lift.report.snr_db / 10):.2%} of the power unexplained (SNR {lift.report.snr_db:.1f} dB).")

print("\nthe three strongest:")
for event in sorted(lift.events, key=lambda event: -event.energy)[:3]:
    print(f"  at {event.time:.3f} s, {event.width * 1000:.0f} ms wide, {event.frequency:.1f} Hz, {event.amplitude:.0f} high")

between = signal.axes[0].coordinates[:-1] + signal.axes[0].step / 2
print(f"\nThe model has a value at any time; half-way between the samples it runs from "
      f"{np.min(lift.field(between)):.0f} to {np.max(lift.field(between)):.0f}.")

lift.plot().savefig("ecg.png")
lift.field.save("ecg.safetensors")
print("Wrote ecg.png and ecg.safetensors.")
