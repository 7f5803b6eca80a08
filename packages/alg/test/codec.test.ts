import '@sock/alg';
