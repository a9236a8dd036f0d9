BATON_NIC(MainParser(), MainControl()) main;
