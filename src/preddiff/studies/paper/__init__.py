"""The figures and claims of Zintgraf et al. (ICLR 2017), made anew."""
