const bit<8> A = 1;
BATON_NIC(MainParser(), MainControl()) main;
