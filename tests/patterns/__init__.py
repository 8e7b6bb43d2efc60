"""The workflow patterns of van der Aalst and others (http://www.workflowpatterns.com), each with the smallest workflow
that shows it, driven through `run.run()`, through `await run.arun()`, and by hand with `run.step()`.

| Number | Pattern | Test |
|---|---|---|
| 1 | sequence | test_01_sequence.py |
| 2 | parallel split | test_02_parallel_split.py |
| 3 | synchronization | test_03_synchronization.py |
| 4 | exclusive choice | test_04_exclusive_choice.py |
| 5 | simple merge | test_05_simple_merge.py |
| 6 | multi-choice | test_06_multi_choice.py |
| 7 | structured synchronizing merge | test_07_synchronizing_merge.py |
| 9, 28, 29 | structured, blocking, cancelling discriminator | test_09_28_29_discriminator.py |
| 10 | arbitrary cycles | test_10_arbitrary_cycles.py |
| 11, 43 | implicit and explicit termination | test_11_43_termination.py |
| 13, 14 | multiple instances known at design time, at run time | test_13_14_multiple_instances.py |
| 15 | multiple instances without a number known beforehand | test_15_added_instances.py |
| 16 | deferred choice | test_16_deferred_choice.py |
| 18 | milestone | test_18_milestone.py |
| 19, 20 | cancel a step, cancel a run | test_19_20_cancel_step_or_run.py |
| 21 | structured loop | test_21_structured_loop.py |
| 22 | recursion | test_22_recursion.py |
| 24 | persistent trigger | test_24_persistent_trigger.py |
| 25, 26 | cancel a region, cancel multiple instances | test_25_26_cancel_region.py |
| 30, 31, 32 | structured, blocking, cancelling partial join | test_30_31_32_partial_join.py |
| 34, 35, 36 | static, cancelling, dynamic partial join of multiple instances | test_34_35_36_partial_join_of_instances.py |
| 39 | critical section | test_39_critical_section.py |
"""
